#!/bin/bash
# Deploys a release of HP_TI: images, migrations, services. Rolls back by itself if health checks fail then.
#   deploy.sh VERSION
set -euo pipefail

version=${1:?usage: deploy.sh VERSION}
cd /opt/hp_ti
LOG=/var/log/hp_ti_deploy_$(date +%Y%m%d_%H%M%S).log

log() {
    echo "[$(date '+%Y-%m-%d %H:%M:%S')] $*" | tee -a "$LOG"
}

psql_app() {
    docker exec -i hp_ti_postgres psql -U hp_ti_user -d hp_ti_db -v ON_ERROR_STOP=1 "$@"
}

log "Deploying $version over $(cat VERSION)"
git fetch --quiet origin
git checkout --quiet "tags/$version"
for image in honeypot pipeline; do
    docker pull --quiet "hp_ti/$image:$version"
    docker tag "hp_ti/$image:$version" "hp_ti/$image:latest"
done

applied=$(psql_app -tA -c 'SELECT max(version) FROM schema_migrations')
for migration in migrations/*.sql; do
    number=${migration##*/}
    number=$((10#${number%%_*}))
    if ((number > applied)); then
        log "Applying $migration"
        psql_app -q --single-transaction -f - <"$migration"
    fi
done

docker-compose up -d
if ./deployment/scripts/health_check.sh --post-deploy; then
    log "Deployment of $version completed"
else
    log "Health checks failed: rolling back"
    ./deployment/scripts/rollback.sh
    exit 1
fi
