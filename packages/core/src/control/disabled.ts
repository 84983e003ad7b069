/**
 * Whether `LANEWAY_DISABLE` switches off all of Laneway, or one of these parts. An adapter asks when it is made, before it reads
 * its options: the variable has to work when all the rest is broken.
 *
 * @param parts - what switches the adapter off besides `all`: `ingress`, `express`, `undici`, …
 */
export function isDisabled(
  parts: readonly string[],
  env: Readonly<Record<string, string | undefined>> = process.env,
): boolean {
  const value = env['LANEWAY_DISABLE']
  if (value === undefined || value === '') return false
  return value.split(',').some(named => named.trim() === 'all' || parts.includes(named.trim()))
}
