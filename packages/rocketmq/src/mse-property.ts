import { MSE_BAGGAGE_KEY, parseMseList } from '@laneway/core/internal'

/** The user property in which the Java agent of Alibaba Cloud MSE carries the lane, named as its member of baggage. */
export const MSE_PROPERTY = MSE_BAGGAGE_KEY

/** Gives properties without a lane the one of {@link MSE_PROPERTY}, under the first name. @returns whether it did */
export function adoptMseProperty(properties: Map<string, string>, names: readonly string[]): boolean {
  const value: unknown = properties.get(MSE_PROPERTY)
  if (value === undefined || names.some(name => properties.has(name))) return false
  // Empty text is no lane, and is counted as such.
  properties.set(names[0]!, (typeof value === 'string' ? parseMseList(value)?.header : undefined) ?? '')
  return true
}
