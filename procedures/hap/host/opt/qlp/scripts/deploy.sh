#!/bin/bash
# Deploys a release of the orchestrator: its tag goes into .env, the container is made anew from it.
#   deploy.sh TAG
set -euo pipefail

cd /opt/qlp
tag=${1:?usage: deploy.sh TAG}
docker pull --quiet "qlp/orchestrator:$tag"
sed -i "s/^ORCHESTRATOR_TAG=.*/ORCHESTRATOR_TAG=$tag/" .env
docker-compose -f docker-compose.platform.yml up -d --no-deps orchestrator
