import type { Field } from './field.js'

/** Kubernetes, and endpoints from a file. */
export const KUBERNETES_FIELDS = {
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
    fallback: "that of the kubeconfig's context, else `POD_NAMESPACE`, else that of the pod",
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
    meaning: 'a file of endpoints; it is read again when it changes',
    fallback: 'none',
  },
} as const satisfies Readonly<Record<string, Field>>
