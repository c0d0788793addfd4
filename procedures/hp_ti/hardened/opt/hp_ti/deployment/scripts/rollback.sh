#!/bin/bash
# Rolls HP_TI back to the release before this one, in place: no backup is read, no event is dropped.
set -euo pipefail

cd /opt/hp_ti
LOG=/var/log/hp_ti_rollback_$(date +%Y%m%d_%H%M%S).log

log() {
    echo "[$(date '+%Y-%m-%d %H:%M:%S')] $*" | tee -a "$LOG"
}

current=$(cat VERSION)
previous=$(git tag --sort=-version:refname | grep -A1 -Fx "$current" | tail -n 1)
log "Rolling back from $current to $previous, in place"
for image in honeypot pipeline; do
    docker pull --quiet "hp_ti/$image:$previous"
    docker tag "hp_ti/$image:$previous" "hp_ti/$image:latest"
done

# What the previous release does not have is taken back, the newest first.
for down in $(ls -r migrations/down/*.sql); do
    name=${down##*/}
    if ! git cat-file -e "tags/$previous:migrations/$name" 2>/dev/null; then
        log "Taking $name back"
        docker exec -i hp_ti_postgres psql -U hp_ti_user -d hp_ti_db -v ON_ERROR_STOP=1 -q --single-transaction <"$down"
    fi
done

git checkout --quiet "tags/$previous"
docker-compose up -d --no-deps honeypot pipeline
./deployment/scripts/health_check.sh --post-deploy
log "Rollback completed: $previous"
