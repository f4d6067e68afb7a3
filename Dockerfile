# The explorer in a container. CPU by default:
#   docker build -t sparsight .
#   docker run -p 8501:8501 -v "$PWD/stores/demo:/store:ro" sparsight
# With a GPU, to build stores inside: docker build --build-arg FAISS=faiss-gpu -t sparsight-gpu .
ARG PYTHON_VERSION=3.11

FROM python:${PYTHON_VERSION}-slim AS packages
# faiss-cpu *instead of* faiss-gpu: never both, they share a folder.
ARG FAISS=faiss-cpu
COPY requirements.txt /tmp/requirements.txt
RUN sed "s/^faiss-gpu==/${FAISS}==/" /tmp/requirements.txt > /tmp/chosen.txt \
    && python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir -r /tmp/chosen.txt

FROM python:${PYTHON_VERSION}-slim
RUN useradd --create-home --uid 10001 sparsight
COPY --from=packages /opt/venv /opt/venv
WORKDIR /app
COPY . .
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    SPARSIGHT_STORE=/store
USER sparsight
EXPOSE 8501
VOLUME /store
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8501/_stcore/health')"]
CMD ["streamlit", "run", "app.py", "--server.port=8501", "--server.address=0.0.0.0", "--server.fileWatcherType=none"]
