#!/bin/bash
# Restores HP_TI from a backup.
#   restore.sh --backup STAMP [--config-only | --database-only]
set -euo pipefail

BACKUPS=/var/backups/hp_ti
LOG=/var/log/hp_ti_restore.log

log() {
    echo "[$(date '+%Y-%m-%d %H:%M:%S')] $*" | tee -a "$LOG"
}

die() {
    log "ERROR: $*"
    exit 1
}

psql_admin() {
    docker exec hp_ti_postgres psql -U hp_ti_user -d postgres -v ON_ERROR_STOP=1 -q -c "$1"
}

restore_database() {
    local dump=$BACKUPS/database/postgres_$stamp.sql.gz
    [[ -f $dump ]] || die "no database backup $dump"
    log "Checking $dump"
    sha256sum --quiet -c "$dump.sha256" || die "backup is damaged: $dump"
    log "Replacing database hp_ti_db"
    psql_admin "DROP DATABASE IF EXISTS hp_ti_db"
    psql_admin "CREATE DATABASE hp_ti_db OWNER hp_ti_user"
    zcat "$dump" | docker exec -i hp_ti_postgres psql -U hp_ti_user -d hp_ti_db -v ON_ERROR_STOP=1 -q >/dev/null
    log "Database restored from $stamp"
}

restore_config() {
    local archive=$BACKUPS/config/config_$stamp.tar.gz
    [[ -f $archive ]] || die "no configuration backup $archive"
    log "Unpacking $archive"
    tar -xzf "$archive" -C /opt/hp_ti
    log "Configuration restored from $stamp"
}

stamp='' config=yes database=yes
while (($# > 0)); do
    case $1 in
    --backup) stamp=${2:?--backup needs a time stamp}; shift ;;
    --config-only) database=no ;;
    --database-only) config=no ;;
    *) die "unknown option $1" ;;
    esac
    shift
done
[[ -n $stamp ]] || die "usage: restore.sh --backup STAMP [--config-only | --database-only]"
stamp=${stamp#hp_ti_}

if [[ $config == yes ]]; then restore_config; fi
if [[ $database == yes ]]; then restore_database; fi
