# One image, three commands: `python -m jobs serve dashboard`, `python -m jobs serve api`, `python -m jobs schedule`.
# compose.yaml shows how they work together. Two more are what SageMaker starts: `train` and `serve`
# (docs/recipes/train-on-sagemaker.md).
FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /venv
COPY requirements.txt .
# The lock holds the test tools too; a server has no use for a browser driver.
RUN /venv/bin/pip install --quiet --require-hashes --no-deps -r requirements.txt \
    && /venv/bin/pip uninstall --quiet --yes playwright ruff hypothesis pytest pytest-xdist pytest-timeout

FROM python:3.11-slim-bookworm
# libzbar0 reads bar codes from pictures; LightGBM learns with libgomp1.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libzbar0 libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --user-group --home-dir /tmp --no-create-home runout
COPY --from=build /venv /venv
WORKDIR /app
COPY alembic.ini pyproject.toml ./
COPY .streamlit .streamlit
COPY db db
COPY core core
COPY jobs jobs
COPY api api
COPY dashboard dashboard
# Compiled once here, because the user who runs them may not write.
RUN /venv/bin/python -m compileall -q /app \
    && ln -s /app/jobs/sagemaker/train /app/jobs/sagemaker/serve /usr/local/bin/ \
    && install --directory --owner=runout --group=runout /opt/ml/model /opt/ml/output
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOST=0.0.0.0
USER runout
EXPOSE 8501 8000
CMD ["python", "-m", "jobs", "serve", "dashboard"]
