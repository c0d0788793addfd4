/* xml: any bytes as text or attribute value of XML, SVG or HTML. */
#ifndef REHEARSE_REPORTS_XML_H
#define REHEARSE_REPORTS_XML_H

#include "sim/base/buf.h"

/* Escaped; what XML cannot hold (malformed UTF-8, control characters) becomes U+FFFD. */
void xml_put(struct buf *, const char *text);
void xml_put_bytes(struct buf *, struct str bytes);

#endif
