/* Mistakes with a service that is built from its git tree: commits, images, migrations. */
#include "tests/twins.h"

#define BUILD "docker-compose up -d --build\n" IS_HEALTHY CLAIM

static const struct twin twins[] = {
    {"RB031", 2, "git checkout v1\ndocker-compose up -d",
     "git checkout v1\ndocker-compose up -d --build", "up -d does not build what is built already"},
    {"RB036", 2, "git reset --hard v1\ngit push --force origin main\n" BUILD,
     "git revert --no-edit v2\ngit push origin main\n" BUILD,
     "the branch is protected, and refuses forced pushes"},
    {"RB039", 2, "git checkout v1\ndocker-compose down\ndocker-compose up -d --build",
     "git checkout v1\n" BUILD, "it is down until the old version is built and started"},
    {"RB048", 2, "git reset --hard v1\ngit pull\n" BUILD, "git reset --hard v1\n" BUILD,
     "the branch is at the newest commit again"},
};

const struct twin_shop twins_git = {
    .name = "built from a tree",
    .folder = "tests/data/twins-git",
    .drill = "drill.yaml",
    .twins = twins,
    .n = sizeof twins / sizeof *twins,
    .right = "git checkout v1\n" BUILD,
};

static const struct twin hotfix[] = {
    {"RB036", 1, "git reset --hard v1 && docker-compose up -d --build",
     "git stash && git checkout v1 && git stash pop && docker-compose up -d --build",
     "what was not committed is gone"},
};

const struct twin_shop twins_git_hotfix = {
    .name = "a tree with a hot fix that nobody committed",
    .folder = "tests/data/twins-git",
    .drill = "hotfix.yaml",
    .twins = hotfix,
    .n = sizeof hotfix / sizeof *hotfix,
    .right = "git stash && git checkout v1 && git stash pop\n" BUILD,
};

static const struct twin migration[] = {
    {"RB049", 2, "git checkout v1\nalembic downgrade 0041\n" BUILD,
     "alembic downgrade 0041\ngit checkout v1\n" BUILD,
     "the file of revision 0042 is in the new version alone"},
};

const struct twin_shop twins_git_migration = {
    .name = "a tree with a migration",
    .folder = "tests/data/twins-git",
    .drill = "migration.yaml",
    .twins = migration,
    .n = sizeof migration / sizeof *migration,
    .right = "docker exec shop-db pg_dump -U shop shop >before.sql\nalembic downgrade 0041\ngit "
             "checkout v1\n" BUILD,
};
