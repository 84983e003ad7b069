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
    const { message } = cause as Error
    // By its message: the code is lost where module hooks run in a thread of their own, and it would not tell the package
    // from one of its dependencies.
    if (![`Cannot find package '${name}'`, `Cannot find module '${name}'`].some(start => message.startsWith(start))) {
      throw cause
    }
    throw new LanewayError('LANEWAY_INVALID_OPTION', `${wanted} needs ${name}: npm install ${name}`, { cause })
  }
}
