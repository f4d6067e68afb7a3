# Sparsight in a container (docs/deployment.md). CPU by default; with a GPU: --build-arg ACCELERATOR=gpu
#   docker build -t sparsight .
#   docker run --read-only --tmpfs /tmp -p 8501:8501 -v "$PWD/stores/demo:/store:ro" -v sparsight-data:/data sparsight
# A digest pins the base to the byte: --build-arg BASE=docker.io/library/debian@sha256:…
ARG BASE=docker.io/library/debian:12.12-slim

FROM ${BASE} AS python
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3 ca-certificates \
    && apt-get clean \
    && rm -rf /var/lib/apt/lists/* /var/log/apt /var/log/*.log /var/cache/debconf/*-old

FROM python AS packages
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends python3-venv
ARG ACCELERATOR=cpu
# Where PyTorch comes from; its CPU builds have an index of their own and make the smallest image.
ARG TORCH_INDEX=
COPY requirements.txt /tmp/
# faiss-cpu *instead of* faiss-gpu: never both, they share a folder.
RUN case "${ACCELERATOR}" in cpu|gpu) ;; *) echo "ACCELERATOR is cpu or gpu, not ${ACCELERATOR}" >&2; exit 1;; esac \
    && sed "s/^faiss-gpu==/faiss-${ACCELERATOR}==/" /tmp/requirements.txt > /tmp/chosen.txt \
    && grep -E '^(torch|torchvision)==' /tmp/chosen.txt > /tmp/torch.txt \
    && python3 -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir ${TORCH_INDEX:+--index-url "${TORCH_INDEX}"} -r /tmp/torch.txt \
    && /opt/venv/bin/pip install --no-cache-dir -r /tmp/chosen.txt
COPY container/trim.py /tmp/
# pip and setuptools stay behind; the last line says whether what is left still works.
RUN if [ "${ACCELERATOR}" = cpu ]; then /opt/venv/bin/python /tmp/trim.py; fi \
    && /opt/venv/bin/pip uninstall -y setuptools pip \
    && /opt/venv/bin/python -c "import torch, torchvision, faiss, open_clip"

FROM python
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /tmp sparsight \
    && install -d -o sparsight -g sparsight /data
COPY --from=packages /opt/venv /opt/venv
WORKDIR /app
COPY app.py LICENSE ./
COPY .streamlit .streamlit
COPY assets assets
COPY sae_core sae_core
COPY index_builder index_builder
COPY explorer explorer
COPY pages pages
# Bytecode is made now: the root file system cannot be written later.
RUN /opt/venv/bin/python -m compileall -q --invalidation-mode unchecked-hash /app
# TQDM_POSITION=-1: the hub's client shows its progress in a log, too.
# Everything that is written goes to /tmp (scratch) or /data (kept: pulled stores, models from the hub, people's notes).
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp \
    XDG_CACHE_HOME=/data/cache \
    HF_HOME=/data/cache/huggingface \
    SPARSIGHT_DATA=/data \
    SPARSIGHT_NOTES=/data/notes.sqlite \
    SPARSIGHT_STORE=/store \
    TQDM_POSITION=-1 \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
USER 10001:10001
EXPOSE 8501
VOLUME /data
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"]
ENTRYPOINT ["python", "-m", "index_builder.serve"]
CMD ["--server.port=8501", "--server.address=0.0.0.0"]
