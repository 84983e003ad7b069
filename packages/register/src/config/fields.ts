/** How the text of an environment variable is read. */
export type FieldKind =
  | 'text'
  /** Never printed; may also be read from the file that `<variable>_FILE` names. */
  | 'secret'
  | 'integer'
  | 'list'
  /** `key=value` pairs, separated by commas. */
  | 'map'
  | 'flag'
  | 'json'
  | readonly string[]

/** One setting. */
export interface Field {
  readonly variable: string
  readonly kind: FieldKind
  /** For README, schema and help. */
  readonly meaning: string
  /** What holds without it, as text. */
  readonly fallback: string
  /** Of an integer. */
  readonly least?: number
  readonly most?: number
}

const MAX_MS = 2 ** 31 - 1

/**
 * Every setting of this package. Environment, configuration file, types, JSON schema and README are made from this table,
 * so that they cannot differ.
 */
export const FIELDS = {
  service: {
    variable: 'LANEWAY_SERVICE',
    kind: 'text',
    meaning: 'name to register under (Nacos)',
    fallback: 'does not register',
  },
  port: {
    variable: 'LANEWAY_PORT',
    kind: 'integer',
    least: 1,
    most: 65_535,
    meaning: 'port to register',
    fallback: 'the first port that an HTTP server listens on',
  },
  ip: {
    variable: 'LANEWAY_IP',
    kind: 'text',
    meaning: 'address to register',
    fallback: 'the address the server is bound to, else the one from which this machine reaches Nacos',
  },
  interface: {
    variable: 'LANEWAY_INTERFACE',
    kind: 'text',
    meaning: 'network interface whose address is registered, e.g. `eth0`; IPv4 before IPv6',
    fallback: 'as `ip`',
  },
  weight: {
    variable: 'LANEWAY_WEIGHT',
    kind: 'integer',
    least: 0,
    most: 10_000,
    meaning: 'weight to register',
    fallback: '1',
  },
  metadata: {
    variable: 'LANEWAY_METADATA',
    kind: 'map',
    meaning: 'metadata to register, `key=value` pairs; the lane is added',
    fallback: 'none',
  },
  tag: {
    variable: 'LANEWAY_TAG',
    kind: 'text',
    meaning: 'own lane; also `MSE_ALICLOUD_SERVICE_TAG`, pod labels',
    fallback: 'base',
  },
  services: {
    variable: 'LANEWAY_SERVICES',
    kind: 'list',
    meaning: 'services that never go to DNS while no registry has answered',
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
    fallback: 'off, on with a CA or certificate',
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
    meaning: 'PEM file of the key of that certificate',
    fallback: 'none',
  },
  kubernetes: {
    variable: 'LANEWAY_KUBERNETES',
    kind: 'flag',
    meaning: 'discover through the API server; needs `@laneway/kubernetes`',
    fallback: 'off',
  },
  kubernetesNamespace: {
    variable: 'LANEWAY_KUBERNETES_NAMESPACE',
    kind: 'text',
    meaning: 'namespace of services called by their bare name',
    fallback: "the pod's, or that of the context",
  },
  kubernetesPort: {
    variable: 'LANEWAY_KUBERNETES_PORT',
    kind: 'text',
    meaning: 'name or number of the port, for Services with several',
    fallback: 'the only one, else `http`, else the first',
  },
  kubeconfig: {
    variable: 'LANEWAY_KUBECONFIG',
    kind: 'text',
    meaning: 'kubeconfig file',
    fallback: '`KUBECONFIG`, service account, `~/.kube/config`',
  },
  kubernetesContext: {
    variable: 'LANEWAY_KUBERNETES_CONTEXT',
    kind: 'text',
    meaning: 'context of the kubeconfig',
    fallback: 'its current-context',
  },
  endpointsFile: {
    variable: 'LANEWAY_ENDPOINTS_FILE',
    kind: 'text',
    meaning: 'a file of endpoints, followed',
    fallback: 'none',
  },
  whenLaneMissing: {
    variable: 'LANEWAY_WHEN_LANE_MISSING',
    kind: ['base', 'fail'],
    meaning: 'where a request goes when the service has no instance of its lane',
    fallback: '`base`',
  },
  whenLaneUnavailable: {
    variable: 'LANEWAY_WHEN_LANE_UNAVAILABLE',
    kind: ['base', 'fail', 'panic'],
    meaning: 'where a request goes when no instance of its lane is usable',
    fallback: '`base`',
  },
  policies: {
    variable: 'LANEWAY_POLICIES',
    kind: 'json',
    meaning: 'exceptions from the two above, a JSON list: `[{"service":"pay","whenLaneMissing":"fail"}]`',
    fallback: 'none',
  },
  baseEmpty: {
    variable: 'LANEWAY_BASE_EMPTY',
    kind: ['fail', 'any'],
    meaning: '`any`: a request without lane goes to a lane instance of a service that has no base',
    fallback: '`fail`',
  },
  balancer: {
    variable: 'LANEWAY_BALANCER',
    kind: ['weighted-random', 'round-robin', 'least-request'],
    meaning: 'how an instance is chosen within a lane',
    fallback: '`weighted-random`',
  },
  aliases: {
    variable: 'LANEWAY_ALIASES',
    kind: 'map',
    meaning: 'hosts for services whose name a URL cannot carry, `host=service` pairs',
    fallback: 'none',
  },
  readyTimeoutMs: {
    variable: 'LANEWAY_READY_TIMEOUT_MS',
    kind: 'integer',
    least: 0,
    most: MAX_MS,
    meaning: 'how long a call to a declared service waits for its first instances, in ms',
    fallback: '5000',
  },
  lookupTimeoutMs: {
    variable: 'LANEWAY_LOOKUP_TIMEOUT_MS',
    kind: 'integer',
    least: 0,
    most: MAX_MS,
    meaning: 'how long the first call of an unknown name waits for the registry, in ms',
    fallback: '1000',
  },
  connectTimeoutMs: {
    variable: 'LANEWAY_CONNECT_TIMEOUT_MS',
    kind: 'integer',
    least: 1,
    most: MAX_MS,
    meaning: 'how long `node:http` waits for a connection before it tries another instance, in ms',
    fallback: '2000',
  },
  propagateTo: {
    variable: 'LANEWAY_PROPAGATE_TO',
    kind: 'list',
    meaning: 'hosts outside that get the tag',
    fallback: 'none',
  },
  keepHandSet: {
    variable: 'LANEWAY_KEEP_HAND_SET',
    kind: 'flag',
    meaning: 'leave a tag that the code itself set for a host outside',
    fallback: 'off',
  },
  trust: {
    variable: 'LANEWAY_TRUST',
    kind: ['private', 'internal', 'edge'],
    meaning: 'whose tags are believed: those of private peers, everybody’s (`internal`), nobody’s (`edge`)',
    fallback: '`private`',
  },
  header: { variable: 'LANEWAY_HEADER', kind: 'text', meaning: 'the header', fallback: '`x-mse-tag`' },
  formats: {
    variable: 'LANEWAY_FORMATS',
    kind: 'list',
    meaning: 'carriers to read, in order: `header`, `mse-baggage`, `baggage`',
    fallback: '`header,mse-baggage,baggage`',
  },
  baggage: {
    variable: 'LANEWAY_BAGGAGE',
    kind: 'flag',
    meaning: 'also write the lane into the W3C `baggage` header of calls in scope',
    fallback: 'off',
  },
  ownLane: {
    variable: 'LANEWAY_OWN_LANE',
    kind: ['ignore', 'colour'],
    meaning: '`colour`: untagged work here runs in the own lane',
    fallback: '`ignore`',
  },
  rules: {
    variable: 'LANEWAY_RULES',
    kind: 'text',
    meaning: 'a file of colouring rules, for the first service; needs `@laneway/rules`',
    fallback: 'none',
  },
  otel: {
    variable: 'LANEWAY_OTEL',
    kind: 'flag',
    meaning: 'keep the lane in the OpenTelemetry context; needs `@laneway/otel`',
    fallback: 'off',
  },
  shutdownMs: {
    variable: 'LANEWAY_SHUTDOWN_MS',
    kind: 'integer',
    least: 0,
    most: MAX_MS,
    meaning: 'longest wait for deregistration, and for open requests after it, in ms',
    fallback: '5000',
  },
  leaveDelayMs: {
    variable: 'LANEWAY_LEAVE_DELAY_MS',
    kind: 'integer',
    least: 0,
    most: MAX_MS,
    meaning: 'how long the process goes on serving after it has deregistered, in ms; Spring callers need 40000',
    fallback: '3000, at most `shutdownMs`',
  },
  disable: {
    variable: 'LANEWAY_DISABLE',
    kind: 'list',
    meaning: 'parts to leave out, see below; `all` is the kill switch',
    fallback: 'none',
  },
  diagnose: {
    variable: 'LANEWAY_DIAGNOSE',
    kind: 'flag',
    meaning:
      'prints once what was found and hooked, the state of registry, services and own registration, and what looks wrong',
    fallback: 'off',
  },
  log: {
    variable: 'LANEWAY_LOG',
    kind: ['debug', 'warn', 'silent'],
    meaning: '`debug` prints a line for each request in, each choice, each call out, with the reason',
    fallback: '`warn`',
  },
  logFormat: {
    variable: 'LANEWAY_LOG_FORMAT',
    kind: ['text', 'json'],
    meaning: 'how `debug` prints: lines for eyes, or JSON objects',
    fallback: '`text`',
  },
} as const satisfies Readonly<Record<string, Field>>

type ValueOf<K extends FieldKind> = K extends 'text' | 'secret'
  ? string
  : K extends 'integer'
    ? number
    : K extends 'list'
      ? readonly string[]
      : K extends 'map'
        ? Readonly<Record<string, string>>
        : K extends 'flag'
          ? boolean
          : K extends readonly string[]
            ? K[number]
            : unknown

/** What `laneway.config.json`, `.js`, `.mjs` or `.cjs` may say; the README lists the names. Each has an environment variable, which comes first. */
export type RegisterOptions = { -readonly [K in keyof typeof FIELDS]?: ValueOf<(typeof FIELDS)[K]['kind']> }
