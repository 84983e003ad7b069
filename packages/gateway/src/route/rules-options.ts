import { forwardedAddress, type RulesOptions } from '@laneway/rules'

/** Options of colouring rules: they read the client address that the gateway believes. */
export function rulesOptionsOf({ header, proxies }: { header?: unknown; proxies?: unknown }): RulesOptions {
  const options = { header: typeof header === 'string' ? header.toLowerCase() : 'x-mse-tag' }
  const isBehind = Number.isInteger(proxies) && (proxies as number) >= 1
  return isBehind ? { ...options, clientAddress: forwardedAddress(proxies as number) } : options
}
