// For the other @laneway packages; not part of the public API.
export type { ClusterAccess, Credentials, TlsMaterial } from './access/cluster-access.js'
export { findClusterAccess } from './access/find-cluster.js'
