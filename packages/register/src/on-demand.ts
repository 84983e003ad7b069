import Module from 'node:module'
import { join, resolve } from 'node:path'
import type { LanewayError } from '@laneway/core'
import { absentPackage, missingPackage } from '@laneway/core/internal'

/** The file that this is part of, filled in when the package is built. */
declare const LANEWAY_FILE: string

/**
 * Requires a module as a file would. webpack replaces a call of `createRequire` and what comes out of it by code that
 * finds nothing, so the call is not written as one.
 *
 * @throws what `require` throws
 */
export function requireFrom(file: string, name: string): unknown {
  const require = Reflect.apply(Module['createRequire'], Module, [file]) as (name: string) => unknown
  return require(name)
}

/**
 * Loads a dependency of this package that only some configurations need. Reading `@laneway/discovery` is a third of what
 * the flag adds to a start (benchmark case register/start). Where a bundler has moved this file, as {@link loadOnDemand}.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION` with the install line when it is not there
 */
export function loadDependency<T>(name: string, wanted: string): T {
  try {
    return requireFrom(LANEWAY_FILE, name) as T
  } catch {
    return loadOnDemand(name, wanted)
  }
}

/**
 * Loads a package that only some configurations need, as the application sees it: from the working directory, then from
 * the folder of its main file.
 *
 * @param name - a package, or a door of one: `@laneway/amqp/patch`
 * @param wanted - what asked for it, for the message
 * @throws LanewayError `LANEWAY_INVALID_OPTION` with the install line when it is not there
 */
export function loadOnDemand<T>(name: string, wanted: string): T {
  const places = [join(process.cwd(), 'index.js'), resolve(process.argv[1] ?? 'index.js')]
  const [scope, inScope] = name.split('/', 2)
  const packageName = name.startsWith('@') ? `${scope}/${inScope}` : scope!
  let missing: LanewayError | undefined
  for (const place of places) {
    try {
      return requireFrom(place, name) as T
    } catch (error) {
      missing = missingPackage(packageName, wanted, error)
      if (missing === undefined) throw error
      // The package is here, and lacks another one: looking elsewhere does not help.
      if (absentPackage(error) !== packageName) break
    }
  }
  throw missing
}
