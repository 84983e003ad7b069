import type { Field } from './field.js'

/** TLS to instances that speak it although the URL says `http`. */
export const ENDPOINT_TLS_FIELDS = {
  endpointCaFile: {
    variable: 'LANEWAY_ENDPOINT_CA_FILE',
    kind: 'text',
    meaning:
      'PEM file of the CA of instances that speak TLS although the URL says `http` (Nacos metadata `secure=true`)',
    fallback: "Node's own roots and `NODE_EXTRA_CA_CERTS`",
  },
  endpointServerName: {
    variable: 'LANEWAY_ENDPOINT_SERVER_NAME',
    kind: 'text',
    meaning: 'name that the certificates of such instances must have',
    fallback: 'the name of the service',
  },
  endpointCertFile: {
    variable: 'LANEWAY_ENDPOINT_CERT_FILE',
    kind: 'text',
    meaning: 'PEM file of the client certificate, where such instances ask for one',
    fallback: 'none',
  },
  endpointKeyFile: {
    variable: 'LANEWAY_ENDPOINT_KEY_FILE',
    kind: 'text',
    meaning: 'PEM file of the key of that client certificate',
    fallback: 'none',
  },
} as const satisfies Readonly<Record<string, Field>>
