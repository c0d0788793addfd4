#!/bin/bash
# Rolls HP_TI back to the release before this one, with the configuration of a backup, and with its database if the schema is
# newer than that release.
#   rollback.sh [--latest | --backup NAME]
set -euo pipefail

cd /opt/hp_ti
LOG=/var/log/hp_ti_rollback_$(date +%Y%m%d_%H%M%S).log

log() {
    echo "[$(date '+%Y-%m-%d %H:%M:%S')] $*" | tee -a "$LOG"
}

backup=''
while (($# > 0)); do
    case $1 in
    --backup) backup=${2:?--backup needs a name}; shift ;;
    --latest) backup='' ;;
    *) log "ERROR: unknown option $1"; exit 1 ;;
    esac
    shift
done
if [[ -z $backup ]]; then
    newest=$(ls -1 /var/backups/hp_ti/database/postgres_*.sql.gz | sort | tail -n 1)
    backup=${newest##*/postgres_}
    backup=hp_ti_${backup%.sql.gz}
fi

current=$(cat VERSION)
previous=$(git tag --sort=-version:refname | grep -A1 -Fx "$current" | tail -n 1)
log "Rolling back from $current to $previous with backup $backup"
docker-compose stop honeypot pipeline
git checkout --quiet "tags/$previous"
applied=$(docker exec hp_ti_postgres psql -U hp_ti_user -d hp_ti_db -tA -c 'SELECT max(version) FROM schema_migrations')
shipped=$(ls migrations/*.sql | sort | tail -n 1)
shipped=${shipped##*/}
if ((applied > 10#${shipped%%_*})); then
    ./deployment/scripts/restore.sh --backup "$backup"
else
    ./deployment/scripts/restore.sh --backup "$backup" --config-only
fi
for image in honeypot pipeline; do
    docker pull --quiet "hp_ti/$image:$previous"
    docker tag "hp_ti/$image:$previous" "hp_ti/$image:latest"
done
docker-compose up -d
./deployment/scripts/health_check.sh --post-deploy
log "Rollback to $previous completed"
