/**
 * Tells the first use of each key from later ones, for warnings that are given once per host or service.
 *
 * @param most - keys that are remembered; further keys are never first, so that the network cannot cause a flood
 * @returns whether the key is used for the first time
 */
export function oncePerKey(most: number): (key: string) => boolean {
  const used = new Set<string>()
  return key => {
    if (used.size >= most || used.has(key)) return false
    used.add(key)
    return true
  }
}
