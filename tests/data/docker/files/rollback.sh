#!/bin/bash
set -euo pipefail
# a file in the root goes with the container, one in a volume stays
docker exec shop-web-1 sh -c 'echo root > /srv/mark; echo volume > /srv/uploads/mark'
docker compose up -d --force-recreate web
if docker exec shop-web-1 cat /srv/mark; then echo "the root outlived the container"; exit 10; fi
test "$(docker exec shop-web-1 cat /srv/uploads/mark)" = volume
# a bind mount is the machine's file, both ways
test "$(docker exec shop-web-1 cat /etc/web.conf)" = "mode=old"
echo "mode=new" > web.conf
test "$(docker exec shop-web-1 cat /etc/web.conf)" = "mode=new"
docker exec shop-db-1 sh -c 'cat /dumps/README && echo made > /dumps/made && rm /dumps/README'
test "$(cat dumps/made)" = made
test ! -e dumps/README
# a tool's file is the container's
docker exec shop-db-1 pg_dump -U postgres -f /tmp/db.sql postgres
test ! -e /tmp/db.sql
docker cp shop-db-1:/tmp/db.sql ./db.sql
test -s db.sql
docker exec shop-db-1 pg_dump -U postgres -f /dumps/db.sql postgres
cmp db.sql dumps/db.sql
# a volume is saved and brought back by a container of its own
docker run --rm -v shop_uploads:/data -v "$PWD":/backup alpine:3.20 tar czf /backup/uploads.tgz -C /data .
tar tzf uploads.tgz | grep -q mark
docker exec shop-web-1 sh -c 'echo broken > /srv/uploads/mark; echo more > /srv/uploads/more'
docker run --rm -v shop_uploads:/data -v "$PWD":/backup alpine:3.20 sh -c 'rm -rf /data/* && tar xzf /backup/uploads.tgz -C /data'
test "$(docker exec shop-web-1 cat /srv/uploads/mark)" = volume
if docker exec shop-web-1 test -e /srv/uploads/more; then exit 11; fi
# folders are copied by the rules of docker cp
mkdir -p site/css && echo a > site/a && echo b > site/css/b
docker cp site shop-web-1:/srv/site
docker cp site shop-web-1:/srv/site
docker cp site/. shop-web-1:/srv/flat
test "$(docker exec shop-web-1 find /srv/site /srv/flat -type f | sort | tr '\n' ' ')" = \
    "/srv/flat/a /srv/flat/css/b /srv/site/a /srv/site/css/b /srv/site/site/a /srv/site/site/css/b "
docker cp shop-web-1:/srv/site ./back
cmp back/site/css/b site/css/b
# an image that was saved can be loaded again
docker save shop/web:v1 | gzip > web.tar.gz
docker tag shop/web:v1 shop/web:other
docker rmi shop/web:other
docker load -i web.tar.gz
docker load < web.tar.gz
# a volume that is removed takes its files along
docker compose rm -sf web
docker volume rm shop_uploads
docker compose up -d
if docker exec shop-web-1 test -e /srv/uploads/mark; then exit 12; fi
echo "Rollback complete"
