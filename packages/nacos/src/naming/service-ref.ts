import { LanewayError } from '@laneway/core'
import { assertKnownKeys, describe } from '@laneway/core/internal'
import { DEFAULT_GROUP } from './service-info.js'

/** Names one service. */
export interface ServiceRef {
  service: string
  /** @default 'DEFAULT_GROUP' */
  group?: string
  /** @default the client's namespace */
  namespace?: string
}

/** @throws LanewayError `LANEWAY_INVALID_OPTION` */
export function resolveServiceRef(ref: ServiceRef, defaultNamespace: string): Required<ServiceRef> {
  assertKnownKeys('a Nacos service', ref, ['service', 'group', 'namespace'])
  const { service, group = DEFAULT_GROUP, namespace = defaultNamespace } = ref
  if (typeof service !== 'string' || service === '' || service.includes('@@')) {
    throw new LanewayError(
      'LANEWAY_INVALID_OPTION',
      `${describe(service)} is no Nacos service name; the group is a field of its own`,
    )
  }
  // Java servers refuse a blank group, and keep "" apart from "public".
  return { service, group: group === '' ? DEFAULT_GROUP : group, namespace: namespace === '' ? 'public' : namespace }
}

/** The fields by which requests name a service. */
export function whereOf(ref: Required<ServiceRef>): { namespace: string; serviceName: string; groupName: string } {
  return { namespace: ref.namespace, serviceName: ref.service, groupName: ref.group }
}

export function keyOf(ref: Required<ServiceRef>): string {
  return `${ref.namespace}@@${ref.group}@@${ref.service}`
}
