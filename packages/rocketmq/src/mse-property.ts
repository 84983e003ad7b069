import type { Lane } from '@laneway/core'

/** The user property in which the Java agent of Alibaba Cloud MSE carries the lane. */
export const MSE_PROPERTY = '__microservice_tag__'

/** The value of {@link MSE_PROPERTY} for a lane. */
export function mseValue({ tags }: Lane): string {
  return JSON.stringify(tags.map(tag => ({ name: tag, tag, priority: -1 })))
}

/** A lane has at most 255 bytes; JSON around four tags has less than this. */
const MAX_LENGTH = 1024

/**
 * The lane that a value of {@link MSE_PROPERTY} names, in wire form; higher `priority` comes first. Where an entry has no
 * `tag`, its `name` counts.
 *
 * @returns `''`, which is no lane, for a value of another form
 */
export function textOfMseValue(value: unknown): string {
  if (typeof value !== 'string' || value.length > MAX_LENGTH) return ''
  try {
    const entries = JSON.parse(value) as { name?: unknown; tag?: unknown; priority?: unknown }[]
    return entries
      .map(({ name, tag = name, priority = 0 }) => ({
        tag: typeof tag === 'string' ? tag : '',
        priority: Number(priority),
      }))
      .sort((a, b) => b.priority - a.priority)
      .map(({ tag }) => tag)
      .join(',')
  } catch {
    return ''
  }
}

/** Gives properties without a lane the one of {@link MSE_PROPERTY}, under the first name. @returns whether it did */
export function adoptMseProperty(properties: Map<string, string>, names: readonly string[]): boolean {
  const value = properties.get(MSE_PROPERTY)
  if (value === undefined || names.some(name => properties.has(name))) return false
  properties.set(names[0]!, textOfMseValue(value))
  return true
}
