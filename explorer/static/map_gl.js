// Points in WebGL, for the map: round, coloured, some with an edge. Joined to links.js; one script, one scope.
// Not plotly's scattergl: it compiles code while it runs, which the app's content security policy forbids.

const POINT_VERTEX = `
  attribute vec2 place; attribute vec4 color; attribute vec2 look;
  uniform vec4 shown; uniform float ratio;
  varying vec4 ink; varying float edge; varying float across;
  void main() {
    gl_Position = vec4(place * shown.xy + shown.zw, 0.0, 1.0);
    across = look.x * ratio;
    gl_PointSize = across + 2.0;
    ink = color; edge = look.y * ratio;
  }`;
const POINT_FRAGMENT = `
  precision mediump float;
  uniform vec3 rim;
  varying vec4 ink; varying float edge; varying float across;
  void main() {
    float out_by = length(gl_PointCoord - 0.5) * (across + 2.0) - across * 0.5;
    float inside = clamp(0.5 - out_by, 0.0, 1.0);
    float on_rim = edge > 0.0 ? clamp(0.5 + out_by + edge, 0.0, 1.0) : 0.0;
    float alpha = ink.a * inside;
    gl_FragColor = vec4(mix(ink.rgb, rim, on_rim) * alpha, alpha);
  }`;

function compiled(gl, kind, source) {
  const shader = gl.createShader(kind);
  gl.shaderSource(shader, source);
  gl.compileShader(shader);
  return shader;
}

class PointCloud {
  // Null where the browser has no WebGL.
  static on(canvas) {
    const gl = canvas.getContext("webgl", { antialias: false, preserveDrawingBuffer: true });
    return gl ? new PointCloud(canvas, gl) : null;
  }

  constructor(canvas, gl) {
    this.canvas = canvas;
    this.gl = gl;
    this.n = 0;
    this.made = false;
    canvas.addEventListener("webglcontextlost", (event) => { event.preventDefault(); this.made = false; });
    canvas.addEventListener("webglcontextrestored", () => { if (this.kept) this.set(...this.kept); this.restored?.(); });
  }

  make() {
    const { gl } = this;
    const program = gl.createProgram();
    gl.attachShader(program, compiled(gl, gl.VERTEX_SHADER, POINT_VERTEX));
    gl.attachShader(program, compiled(gl, gl.FRAGMENT_SHADER, POINT_FRAGMENT));
    gl.linkProgram(program);
    gl.useProgram(program);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    this.uniform = Object.fromEntries(["shown", "ratio", "rim"].map((name) => [name, gl.getUniformLocation(program, name)]));
    this.buffers = Object.fromEntries(["place", "color", "look"].map((name) => [name, gl.createBuffer()]));
    this.at = Object.fromEntries(["place", "color", "look"].map((name) => [name, gl.getAttribLocation(program, name)]));
    this.made = true;
  }

  // places f32 [n, 2]; colors u8 [n, 4]; looks f32 [n, 2]: width and edge in pixels. In the order in which they are drawn.
  set(places, colors, looks) {
    if (!this.made) this.make();
    const { gl } = this;
    const fill = (name, data, size, type, unit) => {
      gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[name]);
      gl.bufferData(gl.ARRAY_BUFFER, data, gl.STATIC_DRAW);
      gl.enableVertexAttribArray(this.at[name]);
      gl.vertexAttribPointer(this.at[name], size, type, unit, 0, 0);
    };
    fill("place", places, 2, gl.FLOAT, false);
    fill("color", colors, 4, gl.UNSIGNED_BYTE, true);
    fill("look", looks, 2, gl.FLOAT, false);
    this.kept = [places, colors, looks];
    this.n = places.length / 2;
  }

  // view: {x, y, scale}, the middle and pixels a unit; rim: r, g, b from 0 to 1.
  draw(view, width, height, ratio, rim) {
    const { gl, canvas } = this;
    if (!this.made || gl.isContextLost()) return;
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== w || canvas.height !== h) { canvas.width = w; canvas.height = h; }
    gl.viewport(0, 0, w, h);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    const [sx, sy] = [(2 * view.scale) / width, (2 * view.scale) / height];
    gl.uniform4f(this.uniform.shown, sx, sy, -view.x * sx, -view.y * sy);
    gl.uniform1f(this.uniform.ratio, ratio);
    gl.uniform3f(this.uniform.rim, ...rim);
    gl.drawArrays(gl.POINTS, 0, this.n);
  }
}
