import { downwardValue } from '@laneway/core/internal'

const ZONE_LABEL = 'topology.kubernetes.io/zone'

/**
 * The zone of the node that this pod runs on. Kubernetes copies the label of the node to its pods (since 1.35, before that
 * behind a feature gate), and a downward API volume shows it to the process. Reading the node itself would need a right on
 * the whole cluster.
 *
 * @param file - of the downward API, with the labels of the pod
 * @returns `undefined` without such a file or label
 */
export function readOwnZone(file: string): string | undefined {
  return downwardValue(file, ZONE_LABEL) || undefined
}
