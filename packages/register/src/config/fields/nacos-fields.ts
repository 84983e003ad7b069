import type { Field } from './field.js'

/** Nacos: where it is, and how to authenticate. */
export const NACOS_FIELDS = {
  services: {
    variable: 'LANEWAY_SERVICES',
    kind: 'list',
    meaning: 'services that are never looked up in DNS before a registry has answered',
    fallback: 'none; a name is looked up when it is first called',
  },
  nacos: {
    variable: 'LANEWAY_NACOS',
    kind: 'list',
    meaning: 'Nacos servers, `host:8848`; needs `@laneway/nacos`',
    fallback: 'none',
  },
  nacosNamespace: {
    variable: 'LANEWAY_NACOS_NAMESPACE',
    kind: 'text',
    meaning: 'namespace id in Nacos',
    fallback: '`public`',
  },
  nacosGroup: { variable: 'LANEWAY_NACOS_GROUP', kind: 'text', meaning: 'group in Nacos', fallback: '`DEFAULT_GROUP`' },
  nacosClusters: {
    variable: 'LANEWAY_NACOS_CLUSTERS',
    kind: 'list',
    meaning: 'only instances of these Nacos clusters are called; the first is the cluster to register in',
    fallback: 'all; registers in `DEFAULT`',
  },
  nacosUsername: {
    variable: 'LANEWAY_NACOS_USERNAME',
    kind: 'text',
    meaning: 'user, where Nacos asks for a login',
    fallback: 'no login',
  },
  nacosPassword: {
    variable: 'LANEWAY_NACOS_PASSWORD',
    kind: 'secret',
    meaning: 'password; `LANEWAY_NACOS_PASSWORD_FILE` names a file that holds it',
    fallback: 'no login',
  },
  nacosTls: {
    variable: 'LANEWAY_NACOS_TLS',
    kind: 'flag',
    meaning: 'TLS to the gRPC port of Nacos',
    fallback: 'off; on where a CA or certificate is set',
  },
  nacosCaFile: {
    variable: 'LANEWAY_NACOS_CA_FILE',
    kind: 'text',
    meaning: 'PEM file of the CA that signed the server certificate',
    fallback: "Node's own roots",
  },
  nacosCertFile: {
    variable: 'LANEWAY_NACOS_CERT_FILE',
    kind: 'text',
    meaning: 'PEM file of the client certificate, for mutual TLS',
    fallback: 'none',
  },
  nacosKeyFile: {
    variable: 'LANEWAY_NACOS_KEY_FILE',
    kind: 'text',
    meaning: 'PEM file of the key of the client certificate',
    fallback: 'none',
  },
  nacosSnapshotDir: {
    variable: 'LANEWAY_NACOS_SNAPSHOT_DIR',
    kind: 'text',
    meaning: 'folder for the last list of each service, used when Nacos cannot be reached at the start',
    fallback: 'none',
  },
} as const satisfies Readonly<Record<string, Field>>
