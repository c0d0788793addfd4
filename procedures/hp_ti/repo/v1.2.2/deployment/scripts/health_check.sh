#!/bin/bash
# Asks every HP_TI component whether it is well. With --post-deploy, gives services time to start first.
# Exit status: 0 all well, 1 otherwise.
failed=0

check() {
    local name=$1
    shift
    if "$@" >/dev/null 2>&1; then
        echo "  OK    $name"
    else
        echo "  FAIL  $name"
        failed=$((failed + 1))
    fi
}

if [[ ${1:-} == --post-deploy ]]; then
    echo "Waiting 15 seconds for services to start"
    sleep 15
fi

echo "HP_TI health check, $(date '+%Y-%m-%d %H:%M:%S')"
check "honeypot"      curl -fsS --max-time 5 http://localhost:8080/health
check "pipeline"      curl -fsS --max-time 5 http://localhost:8081/health
check "PostgreSQL"    docker exec hp_ti_postgres pg_isready -U hp_ti_user -d hp_ti_db
check "Redis"         docker exec hp_ti_redis redis-cli ping
check "Elasticsearch" curl -fsS --max-time 5 http://localhost:9200/_cluster/health

if ((failed > 0)); then
    echo "Health check failed: $failed of 5 components"
    exit 1
fi
echo "All health checks passed"
