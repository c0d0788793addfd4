/* Mistakes with tools that have no fake: declared stubs answer for them, after their documentation.
 */
#include "tests/twins.h"

#define UPDATE          "aws ecs update-service --cluster shop --service web --task-definition web:1"
#define UPDATE_AND_WAIT UPDATE "\naws ecs wait services-stable --cluster shop --services web" CLAIM
#define WAIT            "argocd app wait web --health --timeout 300" CLAIM

static const struct twin twins[] = {
    {"RB037", 1, UPDATE CLAIM, UPDATE_AND_WAIT,
     "it answers when the deployment has begun, and the old tasks still serve"},
    {"RB047", 1, "argocd app rollback web 3\n" WAIT,
     "argocd app set web --sync-policy none\nargocd app rollback web 3\n" WAIT,
     "rollback cannot be initiated when auto-sync is enabled"},
};

const struct twin_shop twins_stubs = {
    .name = "declared stubs",
    .folder = "tests/data/twins-stubs",
    .drill = "drill.yaml",
    .twins = twins,
    .n = sizeof twins / sizeof *twins,
    .right = UPDATE_AND_WAIT,
};
