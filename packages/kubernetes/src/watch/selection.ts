/** Which part of a collection is followed. */
export interface Selection {
  /** `undefined`: all of it. */
  readonly labelSelector: string | undefined
  /** The services that the part is enough for; `undefined`: for all. */
  readonly services: ReadonlySet<string> | undefined
}

/** Whether the part is enough for a service. */
export function covers(selection: Selection | undefined, service: string): boolean {
  return selection !== undefined && (selection.services === undefined || selection.services.has(service))
}
