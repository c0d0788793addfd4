/* version: of rehearse, as `rehearse --version`, SARIF and run.json's provenance say it. */
#ifndef REHEARSE_BASE_VERSION_H
#define REHEARSE_BASE_VERSION_H

#define REHEARSE_VERSION "0.9.0"

#endif
