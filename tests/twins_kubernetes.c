/* Mistakes in a cluster: a Deployment with its configuration, a database in a StatefulSet, a custom
 * resource; and a release that helm keeps. */
#include "tests/twins.h"

#define STATUS    "kubectl rollout status deployment/web --timeout=120s"
#define CONFIG    "kubectl patch configmap web-config -p '{\"data\":{\"LIMIT\":\"100\"}}'"
#define IMAGE     "kubectl set image deployment/web web=shop/web:v1"
#define UNDO      "kubectl rollout undo deployment/web"
#define PSQL_DUMP "kubectl exec db-0 -- pg_dump -U shop shop"
/* What brings the old version back, and with its configuration. */
#define BACK        IMAGE "\n" STATUS
#define CONFIG_BACK CONFIG "\n" IMAGE "\nkubectl rollout restart deployment/web\n" STATUS

/* The release changed the configuration too. */
static const struct twin with_config[] = {
    {"RB006", 3, BACK "\n" CONFIG, CONFIG_BACK,
     "the environment of a container is made when it starts"},
    {"RB007", 1, UNDO "\n" STATUS "\n" CONFIG, CONFIG_BACK,
     "undo puts the pod template back and no ConfigMap"},
};

const struct twin_shop twins_kubernetes_config = {
    .name = "Kubernetes, and the configuration changed too",
    .folder = "tests/data/twins-kubernetes",
    .drill = "drill.yaml",
    .twins = with_config,
    .n = sizeof with_config / sizeof *with_config,
    .right = CONFIG_BACK CLAIM,
};

/* The release changed the image alone, and was restarted once. */
static const struct twin with_image[] = {
    {"RB008", 1, IMAGE CLAIM, BACK CLAIM, "the request is accepted, nothing more"},
    {"RB009", 1,
     "kubectl patch deployment web -p '{\"metadata\":{\"labels\":{\"rollback\":true}}}'\n" BACK,
     "kubectl patch deployment web -p '{\"metadata\":{\"labels\":{\"rollback\":\"true\"}}}'\n" BACK,
     "labels are text: the API server answers 'unrecognized type: string'"},
    {"RB024", 1, UNDO " --to-revision=1\n" STATUS, BACK,
     "revision 1 is v0: v1 became revision 2 when it was rolled out after it"},
    {"RB027", 3, UNDO " --to-revision=2\n" STATUS "\n" UNDO "\n" STATUS, BACK,
     "each undo goes to what was there before it: the second brings v2 back"},
    {"RB040", 1, "kubectl patch deployment web -p '{\"spec\":{\"replicas\":3}'\n" BACK,
     "kubectl patch deployment web -p '{\"spec\":{\"replicas\":3}}'\n" BACK,
     "unexpected end of JSON input"},
    {"RB041", 1, UNDO "\n" STATUS, BACK,
     "the revision before is the bad version, before it was restarted"},
    {"RB042", 1, "kubectl get deployment web -n Shop_Prod\n" BACK,
     "kubectl get deployment web -n shop\n" BACK, "there can be no such namespace"},
    {"RB045", 1, "kubectl patch rollout cart -p '{\"spec\":{\"paused\":true}}'\n" BACK,
     "kubectl patch rollout cart --type merge -p '{\"spec\":{\"paused\":true}}'\n" BACK,
     "the body of the request was in an unknown format"},
    {"RB050", 1,
     "kubectl scale statefulset,deployment --all --replicas=0; " PSQL_DUMP " > dump.sql\n" BACK
     "\necho 'Rollback completed'",
     PSQL_DUMP " > dump.sql\n" BACK "\necho 'Rollback completed'",
     "the database is stopped too: there is nobody to dump"},
};

const struct twin_shop twins_kubernetes = {
    .name = "Kubernetes",
    .folder = "tests/data/twins-kubernetes",
    .drill = "image.yaml",
    .twins = with_image,
    .n = sizeof with_image / sizeof *with_image,
    .right = BACK CLAIM,
};

#define WAITS " --wait --timeout 5m"

static const struct twin with_helm[] = {
    {"RB022", 1, "helm rollback web" CLAIM, "helm rollback web" WAITS CLAIM,
     "helm sends the manifests and waits for nothing"},
    {"RB024", 1, "helm rollback web 1" WAITS, "helm rollback web" WAITS,
     "revision 1 is v0: v1 came after it"},
};

const struct twin_shop twins_helm = {
    .name = "helm",
    .folder = "tests/data/twins-helm",
    .drill = "drill.yaml",
    .twins = with_helm,
    .n = sizeof with_helm / sizeof *with_helm,
    .right = "helm rollback web" WAITS CLAIM,
};
