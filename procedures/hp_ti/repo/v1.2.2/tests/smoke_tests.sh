#!/bin/bash
# Sends one event through HP_TI and looks for it in the database.
set -uo pipefail

failed=0
step() {
    local name=$1
    shift
    if "$@" >/dev/null 2>&1; then
        echo "PASS $name"
    else
        echo "FAIL $name"
        failed=1
    fi
}

recent_events() {
    local count
    count=$(docker exec hp_ti_postgres psql -U hp_ti_user -d hp_ti_db -tA -c \
        "SELECT count(*) FROM honeypot_events WHERE created_at > now() - interval '1 minute'") || return 1
    ((count > 0))
}

step "honeypot answers" curl -fsS --max-time 5 http://localhost:8080/health
step "pipeline answers" curl -fsS --max-time 5 http://localhost:8081/health
step "events arrive in the database" recent_events
step "search answers" curl -fsS --max-time 5 http://localhost:9200/_cat/indices

if ((failed)); then
    echo "Smoke tests failed"
    exit 1
fi
echo "Smoke tests passed"
