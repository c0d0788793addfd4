/* A project of docker-compose: the one that was given, or one made up from what the playbook
 * mentions. */
#include <ctype.h>
#include <string.h>

#include "fakes/fake.h"
#include "procedures/init/writer.h"
#include "sim/base/doc.h"

int init_take_compose(struct writer *writer, struct error *error)
{
    struct doc *root, *services;
    if (!writer->options->compose)
        return 0;
    if (doc_read_text(writer->arena, "compose file", str_of(writer->options->compose), &root,
                      error) < 0 ||
        doc_need(root, "services", &services, error) < 0)
        return ERROR_INPUT;
    for (const struct doc *at = services->first; at; at = at->next) {
        struct fact_service *service = facts_service(&writer->facts, str_of(at->key), 0);
        const struct doc *image = doc_get(at, "image"), *ports = doc_get(at, "ports");
        const char *tag = image && image->text ? strrchr(image->text, ':') : NULL, *colon;
        if (!service)
            continue;
        service->compose = true;
        service->uses++;
        if (tag && isdigit((unsigned char)tag[1 + (tag[1] == 'v')]) && !strchr(tag, '/'))
            service->version = tag + 1;
        if (ports && ports->first && ports->first->text &&
            (colon = strchr(ports->first->text, ':'))) {
            int64_t port;
            if (str_int64((struct str){ports->first->text, (size_t)(colon - ports->first->text)},
                          &port) &&
                port < 65536)
                service->port = (int)port;
        }
    }
    return 0;
}

void init_choose_platform(struct writer *writer)
{
    bool uses = writer->facts.uses_compose || writer->options->compose;
    writer->compose = uses && fake_for("docker-compose");
    writer->cluster = writer->facts.uses_cluster || writer->options->kubernetes;
    writer->git = writer->compose && writer->facts.checks_out && !writer->options->compose;
    writer->compose_file = writer->facts.compose_file && !writer->facts.default_compose
                               ? writer->facts.compose_file
                               : "docker-compose.yml";
    writer->content = writer->git ? arena_printf(writer->arena, "repo/%s", writer->good)
                                  : arena_printf(writer->arena, "host%s", writer->cwd);
}

bool init_in_compose(const struct writer *writer, const struct fact_service *service)
{
    return writer->compose && (service->compose || !service->kubernetes);
}

/* What docker-compose calls the project when nobody says: the folder's name, in small letters. */
static const char *project_name(const struct writer *writer)
{
    const char *slash = strrchr(writer->cwd, '/');
    char *name = arena_strdup(writer->arena, slash ? slash + 1 : writer->cwd), *to = name;
    for (const char *at = name; *at; at++)
        if (isalnum((unsigned char)*at) || *at == '-' || *at == '_')
            *to++ = (char)tolower((unsigned char)*at);
    *to = '\0';
    return name;
}

void init_write_platform(struct writer *writer, struct buf *out)
{
    if (!writer->compose)
        return;
    buf_printf(out, "docker:\n  compose: {folder: %s, file: %s, project: %s}\n", writer->cwd,
               writer->compose_file, project_name(writer));
    if (writer->git)
        buf_printf(
            out,
            "git:\n  # what lies in these folders is in the working copy at that tag\n"
            "  %s: {tags: {%s: repo/%s, %s: repo/%s}, checkout: %s, origin: /srv/git/%s.git}\n",
            writer->cwd, writer->good, writer->good, writer->bad, writer->bad, writer->good,
            writer->result->name);
}

static const char *image_of(const struct writer *writer, const struct fact_service *service)
{
    if (service->image)
        return service->image;
    if (service->engine)
        return *service->engine == 'p' ? "postgres" : "mysql";
    if (strcasestr(service->name, "redis"))
        return "redis";
    return arena_printf(writer->arena, "%s/%s", writer->result->name, service->name);
}

static void make_up(struct writer *writer, const char *folder, const char *file,
                    const char *front_version)
{
    struct buf out;
    buf_init(&out, FILE_MAX);
    buf_puts(&out, "# A guess by rehearse init: put your own compose file here.\nversion: "
                   "\"3.8\"\nservices:\n");
    for (int i = 0; i < writer->facts.n_services; i++) {
        const struct fact_service *service = &writer->facts.services[i];
        if (!init_in_compose(writer, service))
            continue;
        buf_printf(&out, "  %s:\n    image: %s:%s\n    restart: unless-stopped\n", service->name,
                   image_of(writer, service),
                   service == writer->front ? front_version : init_version(writer, service));
        if (service->container || !service->compose)
            buf_printf(&out, "    container_name: %s\n",
                       service->container ? service->container : service->name);
        if (service->port)
            buf_printf(&out, "    ports: [\"%d:%d\"]\n", service->port, service->port);
    }
    init_add_file(writer, arena_printf(writer->arena, "%s/%s", folder, file), &out, 0644);
}

void init_write_compose(struct writer *writer)
{
    struct buf out;
    if (!writer->compose)
        return;
    if (writer->options->compose) {
        buf_init(&out, 4 << 20);
        buf_puts(&out, writer->options->compose);
        init_add_file(writer,
                      arena_printf(writer->arena, "%s/%s", writer->content, writer->compose_file),
                      &out, 0644);
        return;
    }
    make_up(writer, writer->content, writer->compose_file, writer->good);
    if (writer->facts.compose_file && strcmp(writer->facts.compose_file, writer->compose_file) != 0)
        make_up(writer, writer->content, writer->facts.compose_file, writer->good);
    if (writer->git)
        make_up(writer, arena_printf(writer->arena, "repo/%s", writer->bad), writer->compose_file,
                writer->bad);
    init_add_todo(writer, "%s/%s: made up; put your own there", writer->content,
                  writer->compose_file);
}

const char *init_deploy_command(struct writer *writer)
{
    if (writer->git)
        return arena_printf(writer->arena, "git checkout -q tags/%s && docker-compose -f %s up -d",
                            writer->bad, writer->compose_file);
    return arena_printf(
        writer->arena, "\"sed -i 's|%s:%s|%s:%s|' %s && docker-compose -f %s up -d\"",
        image_of(writer, writer->front), writer->good, image_of(writer, writer->front), writer->bad,
        writer->compose_file, writer->compose_file);
}
