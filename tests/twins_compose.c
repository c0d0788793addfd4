/* Mistakes on one machine under docker-compose: a service, its database and who writes to it. */
#include "tests/twins.h"

/* What brings the old version back, so that only the mistake is seen. */
#define BACK "sed -i s/v2/v1/ .env\ndocker-compose up -d"

#define PSQL       "docker exec shop-db psql -U shop -d shop"
#define PSQL_READS "docker exec -i shop-db psql -v ON_ERROR_STOP=1 -U shop -d shop"

#define PRODUCTS "{\"update\":{\"_index\":\"products\",\"_id\":\"none\"}}\n{\"doc\":{\"price\":1}}"
#define BULK                                                                                       \
    "curl -sf --max-time 10 -H 'Content-Type: application/x-ndjson' "                              \
    "-X POST http://localhost:9200/_bulk --data-binary @- <<E"

static const struct twin twins[] = {
    {"RB001", 1, "curl -s http://localhost:8080/orders" CLAIM,
     "curl -sf http://localhost:8080/orders" CLAIM, "curl ends with 0 on HTTP 500"},
    {"RB004", 1, "docker-compose restart website || true\n" BACK,
     "docker-compose restart website || exit 1\n" BACK, "there is no such service"},
    {"RB010", 1, "docker exec shop-web sh -c 'export FEATURE=off'\n" BACK,
     "echo FEATURE=off >>.env\n" BACK, "the variable dies with that shell"},
    {"RB012", 1, PSQL " -c 'DROP TABLE orders'",
     "docker-compose stop web\ndocker exec shop-db pg_dump -U shop -t orders shop >d.sql\n" PSQL
     " -c 'DROP TABLE orders'\n" PSQL_READS " <d.sql\n" BACK,
     "the table is gone"},
    {"RB017", 3, "docker-compose stop web\ndocker-compose start web\necho Rollback completed",
     "docker-compose stop web\ndocker-compose start web\n"
     "curl -sf http://localhost:8080/orders || exit 1\necho Rollback completed",
     "start takes the same image"},
    {"RB026", 1, "ln -s a(b) c\n" BACK, "ln -s 'a(b)' c\n" BACK,
     "bash refuses the line and takes the next"},
    {"RB028", 1, "watch -n 5 date\n" BACK, "timeout 60 watch -n 5 date\n" BACK,
     "watch runs until somebody interrupts it"},
    {"RB029", 3, "ls\n\n# Change docker-compose.yml to the old tag\n\ndocker-compose up -d",
     "ls\n\n" BACK, "a comment changes no file"},
    {"RB030", 2, "sed -i s/v2/v1/ .env\ndocker-compose restart web",
     "sed -i s/v2/v1/ .env\ndocker-compose up -d web", "restart does not read .env again"},
    {"RB032", 2, "docker pull shop/web:v1\ndocker-compose up -d web",
     "docker pull shop/web:v1\nsed -i s/v2/v1/ .env\ndocker-compose up -d web",
     ".env still names the other tag"},
    {"RB043", 1, "SELECT 1;\n" BACK, PSQL " -c 'SELECT 1;'\n" BACK, "SELECT is no command"},
    {"RB002", 3, BACK "\nuntil curl -sf --max-time 2 http://localhost:8080/none; do sleep 5; done",
     BACK "\n" IS_HEALTHY, "nothing ever answers there"},
    {"RB003", 1,
     "#!/bin/bash\ndocker-compose restart website\nsed -i s/v2/v1/ .env\ndocker-compose up -d\n"
     "echo 'Rollback completed'",
     "#!/bin/bash\nset -e\ndocker-compose restart website\nsed -i s/v2/v1/ .env\n"
     "docker-compose up -d\necho 'Rollback completed'",
     "the script goes on and ends well"},
    {"RB005", 2,
     "v=$(docker volume ls -q -f name=none)\ndocker volume rm $v\n" BACK
     "\necho 'Rollback completed'",
     "v=$(docker volume ls -q -f name=none)\ndocker volume rm ${v:?}\n" BACK
     "\necho 'Rollback completed'",
     "docker volume rm wants at least one name"},
    {"RB011", 1,
     "docker exec -i shop-db psql -U shop -d shop <<E\nDROP TABLE nothing;\nSELECT 1;\nE\n" BACK
     "\necho 'Rollback completed'",
     PSQL_READS " <<E || exit 1\nDROP TABLE nothing;\nSELECT 1;\nE\n" BACK
                "\necho 'Rollback completed'",
     "psql goes on after the error and ends with 0"},
    {"RB014", 2,
     "docker exec shop-db pg_dump --clean -U shop shop >d.sql; sleep 60\n" PSQL_READS
     " <d.sql\n" BACK,
     "docker-compose stop web\ndocker exec shop-db pg_dump --clean -U shop shop >d.sql; sleep "
     "60\n" PSQL_READS " <d.sql\n" BACK,
     "what was written in that minute is gone"},
    {"RB019", 1,
     "bash <<E\ndocker-compose restart website\ntrue\nE\n" BACK "\necho 'Rollback completed'",
     "bash <<E || exit 1\nset -e\ndocker-compose restart website\ntrue\nE\n" BACK
     "\necho 'Rollback completed'",
     "the status is that of true"},
    {"RB021", 1, "docker exec -it shop-db psql -U shop -d shop -c 'SELECT 1'\n" BACK,
     PSQL " -c 'SELECT 1'\n" BACK, "the input device is not a TTY"},
    {"RB023", 5,
     "#!/bin/bash\nset -e\nsed -i s/v2/v1/ .env\ndocker-compose up -d\nsleep 1\n"
     "echo 'Rollback completed'",
     "#!/bin/bash\nset -e\nsed -i s/v2/v1/ .env\ndocker-compose up -d\n" IS_HEALTHY
     "\necho 'Rollback completed'",
     "the service takes three seconds to start"},
    {"RB033", 1,
     "docker exec shop-db psql -U shop -d postgres -c 'DROP DATABASE shop'\n" BACK
     "\necho 'Rollback completed'",
     "docker-compose stop web\ndocker exec shop-db pg_dump -U shop shop >d.sql\n"
     "docker exec shop-db psql -U shop -d postgres -c 'DROP DATABASE shop'\n"
     "docker exec shop-db createdb -U shop shop\n" PSQL_READS " <d.sql\n" BACK
     "\n" IS_HEALTHY CLAIM,
     "the service is connected to it"},
    {"RB034", 2,
     "docker exec shop-db pg_dump -Fc -U shop shop >d.dump\ndocker exec -i shop-db pg_restore -U "
     "shop -d shop <d.dump\n" BACK "\necho 'Rollback completed'",
     "docker exec shop-db pg_dump -Fc -U shop shop >d.dump\ndocker exec -i shop-db pg_restore "
     "--clean --if-exists -U shop -d shop <d.dump\n" BACK "\necho 'Rollback completed'",
     "the tables are there"},
    {"RB035", 3,
     "#!/bin/bash\nset -e\ndocker-compose ps | grep -i error\nsed -i s/v2/v1/ .env\n"
     "docker-compose up -d",
     "#!/bin/bash\nset -e\ndocker-compose ps | grep -ic error || true\nsed -i s/v2/v1/ .env\n"
     "docker-compose up -d",
     "grep finds no error, and set -e ends the script"},
    {"RB038", 1, "docker-compose up -d web:v1", "sed -i s/v2/v1/ .env\ndocker-compose up -d web",
     "no such service: web:v1"},
    {"RB046", 2,
     "docker exec shop-db pg_dump -Fc -U shop shop >d.dump\n" PSQL_READS " <d.dump\n" BACK,
     "docker exec shop-db pg_dump -Fc -U shop shop >d.dump\ndocker exec -i shop-db pg_restore "
     "--clean --if-exists -U shop -d shop <d.dump\n" BACK,
     "psql says that it is a custom-format dump"},
    {"RB013", 2,
     "docker rm -f shop-web\ndocker run -d --name shop-web -p 8080:8080 shop/web:latest",
     "docker rm -f shop-web\ndocker run -d --name shop-web -p 8080:8080 shop/web:v1",
     "latest is what was pushed last, the bad version"},
    {"RB015", 1,
     "docker exec shop-cache redis-cli CONFIG SET maxmemory 200mb\ndocker restart "
     "shop-cache\n" BACK,
     "docker exec shop-cache redis-cli CONFIG SET maxmemory 200mb\ndocker exec shop-cache "
     "redis-cli CONFIG REWRITE\ndocker restart shop-cache\n" BACK,
     "redis.conf says 100mb, and a restart reads it again"},
    {"RB016", 1, BULK "\n" PRODUCTS "\nE\n" BACK "\n" IS_HEALTHY CLAIM,
     BULK " | jq -e '.errors == false' || exit 1\n" PRODUCTS "\nE\n" BACK "\n" IS_HEALTHY CLAIM,
     "an update of a document that is not there is 404 inside a 200"},
    {"RB044", 3, BACK "\n# Or\ndocker-compose up -d --force-recreate", BACK,
     "only one of them is meant"},
};

const struct twin_shop twins_compose = {
    .name = "docker-compose",
    .folder = "tests/data/twins",
    .drill = "drill.yaml",
    .twins = twins,
    .n = sizeof twins / sizeof *twins,
    .right = BACK "\n" IS_HEALTHY CLAIM,
};

#define RESTORE_VISITS                                                                             \
    PSQL " -c 'INSERT INTO visits SELECT * FROM visits_before AS b WHERE NOT EXISTS (SELECT 1 "    \
         "FROM visits AS v WHERE v.id = b.id)'"

/* The first attempt to bring the services up fails, and somebody runs the block again. */
static const struct twin again[] = {
    {"RB018", 1, PSQL " -c 'INSERT INTO visits TABLE visits_before'\n" BACK,
     RESTORE_VISITS "\n" BACK, "there is no key, so nothing refuses a second copy"},
    {"RB018", 1, PSQL " -c 'CREATE TABLE orders_before AS TABLE orders'\n" BACK,
     PSQL " -c 'CREATE TABLE IF NOT EXISTS orders_before AS TABLE orders'\n" BACK,
     "the table is there when the block is run again"},
};

const struct twin_shop twins_compose_again = {
    .name = "docker-compose, and a block is run again",
    .folder = "tests/data/twins",
    .drill = "again.yaml",
    .twins = again,
    .n = sizeof again / sizeof *again,
    .right = RESTORE_VISITS "\n" BACK "\n" IS_HEALTHY CLAIM,
};
