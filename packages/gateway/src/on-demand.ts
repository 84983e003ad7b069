import { LanewayError } from '@laneway/core'

/**
 * Loads a package that only some configurations need.
 *
 * @param load - `() => import(name)`
 * @param wanted - what asked for it, for the message
 * @throws LanewayError `LANEWAY_INVALID_OPTION` with the install line when it is not there
 */
export async function loadOnDemand<T>(name: string, wanted: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (cause) {
    const { code, message } = cause as { code?: string; message?: string }
    const missing = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND'
    // One of its own dependencies may be what is missing.
    if (!missing || message?.includes(name) !== true) throw cause
    throw new LanewayError('LANEWAY_INVALID_OPTION', `${wanted} needs ${name}: npm install ${name}`, { cause })
  }
}
