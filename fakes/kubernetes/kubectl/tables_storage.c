/* Rows of volumes and quotas. */
#include <string.h>

#include "fakes/kubernetes/kubectl/tables.h"
#include "fakes/kubernetes/text/go_value.h"

const char *access_modes(struct arena *arena, const cJSON *modes)
{
    static const struct {
        const char *name, *shown;
    } all[] = {{"ReadWriteOnce", "RWO"},
               {"ReadOnlyMany", "ROX"},
               {"ReadWriteMany", "RWX"},
               {"ReadWriteOncePod", "RWOP"}};
    const char *text = "";
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        for (const cJSON *one = modes ? modes->child : NULL; one; one = one->next) {
            if (cJSON_IsString(one) && strcmp(one->valuestring, all[i].name) == 0) {
                text = arena_printf(arena, "%s%s%s", text, *text ? "," : "", all[i].shown);
                break;
            }
        }
    }
    return text;
}

static const char *phase_of(const cJSON *object)
{
    return json_at(object, "metadata", "deletionTimestamp")
               ? "Terminating"
               : text_at("", object, "status", "phase");
}

static void claim(struct row *row, const cJSON *object)
{
    const char *volume = text_at("", object, "spec", "volumeName");
    cell_name(row, object);
    cell(row, "%s", phase_of(object));
    cell(row, "%s", volume);
    cell(row, "%s", *volume ? text_at("0", object, "status", "capacity", "storage") : "");
    cell(row, "%s",
         *volume ? access_modes(row->arena, json_at(object, "status", "accessModes")) : "");
    cell(row, "%s", text_at("", object, "spec", "storageClassName"));
    cell(row, "%s", text_at("<unset>", object, "spec", "volumeAttributesClassName"));
    cell_age(row, object);
    cell(row, "%s", text_at("<unset>", object, "spec", "volumeMode"));
}

static void volume(struct row *row, const cJSON *object)
{
    const cJSON *claim_ref = json_at(object, "spec", "claimRef");
    cell_name(row, object);
    cell(row, "%s", text_at("0", object, "spec", "capacity", "storage"));
    cell(row, "%s", access_modes(row->arena, json_at(object, "spec", "accessModes")));
    cell(row, "%s", text_at("", object, "spec", "persistentVolumeReclaimPolicy"));
    cell(row, "%s", phase_of(object));
    cell(row, "%s%s%s", text_at("", claim_ref, "namespace"), claim_ref ? "/" : "",
         text_at("", claim_ref, "name"));
    cell(row, "%s", text_at("", object, "spec", "storageClassName"));
    cell(row, "%s", text_at("<unset>", object, "spec", "volumeAttributesClassName"));
    cell(row, "%s", text_at("", object, "status", "reason"));
    cell_age(row, object);
    cell(row, "%s", text_at("<unset>", object, "spec", "volumeMode"));
}

static void storage_class(struct row *row, const cJSON *object)
{
    const char *is_default = text_at("", object, "metadata", "annotations",
                                     "storageclass.kubernetes.io/is-default-class");
    cell(row, "%s%s", text_at("", object, "metadata", "name"),
         strcmp(is_default, "true") == 0 ? " (default)" : "");
    cell(row, "%s", text_at("", object, "provisioner"));
    cell(row, "%s", text_at("Delete", object, "reclaimPolicy"));
    cell(row, "%s", text_at("Immediate", object, "volumeBindingMode"));
    cell(row, "%s", cJSON_IsTrue(json_at(object, "allowVolumeExpansion")) ? "true" : "false");
    cell_age(row, object);
}

static void quota(struct row *row, const cJSON *object)
{
    const char *texts[2] = {"", ""};
    const cJSON **hard = go_value_children(row->arena, json_at(object, "status", "hard"));
    for (; *hard; hard++) {
        const char *name = (*hard)->string;
        const char **text = &texts[strncmp(name, "limits.", 7) == 0];
        *text = arena_printf(row->arena, "%s%s%s: %s/%s", *text, **text ? ", " : "", name,
                             text_at("0", object, "status", "used", name),
                             cJSON_IsString(*hard) ? (*hard)->valuestring : "0");
    }
    cell_name(row, object);
    cell(row, "%s", texts[0]);
    cell(row, "%s", texts[1]);
    cell_age(row, object);
}

const struct table tables_storage[] = {
    {"PersistentVolumeClaim",
     "NAME|STATUS|VOLUME|CAPACITY|ACCESS MODES|STORAGECLASS|VOLUMEATTRIBUTESCLASS|AGE|+VOLUMEMODE",
     claim},
    {"PersistentVolume",
     "NAME|CAPACITY|ACCESS MODES|RECLAIM POLICY|STATUS|CLAIM|STORAGECLASS|VOLUMEATTRIBUTESCLASS|"
     "REASON|AGE|+VOLUMEMODE",
     volume},
    {"StorageClass", "NAME|PROVISIONER|RECLAIMPOLICY|VOLUMEBINDINGMODE|ALLOWVOLUMEEXPANSION|AGE",
     storage_class},
    {"ResourceQuota", "NAME|REQUEST|LIMIT|AGE", quota},
    {NULL, NULL, NULL},
};
