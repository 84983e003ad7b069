import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** An installed package that an application reaches through its dependencies. */
export interface InstalledPackage {
  readonly name: string
  readonly version: string
  readonly folder: string
}

/** An application. */
export interface Application {
  /** The folder of the nearest package.json. */
  readonly folder: string
  readonly manifest: Manifest
  readonly packages: readonly InstalledPackage[]
}

export interface Manifest {
  readonly name?: string
  readonly version?: string
  readonly scripts?: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

/** More than any application has; bounds a walk through something else. */
const MOST_PACKAGES = 5000

/** Walks from the nearest package.json through what is installed, as Node resolves it; without one, `undefined`. */
export function applicationOf(start: string): Application | undefined {
  let folder = realpathSync(start)
  while (!existsSync(join(folder, 'package.json'))) {
    const above = dirname(folder)
    if (above === folder) return undefined
    folder = above
  }
  const manifest = readManifest(folder)
  if (manifest === undefined) return undefined
  const found = new Map<string, InstalledPackage>()
  const queue: [from: string, name: string][] = namesOf(manifest).map(name => [folder, name])
  for (let next = queue.shift(); next !== undefined && found.size < MOST_PACKAGES; next = queue.shift()) {
    const place = locate(...next)
    if (place === undefined || found.has(place)) continue
    const inner = readManifest(place)
    if (inner === undefined) continue
    found.set(place, { name: inner.name ?? next[1], version: inner.version ?? '0.0.0', folder: place })
    for (const name of namesOf(inner)) queue.push([place, name])
  }
  return { folder, manifest, packages: [...found.values()] }
}

/** The real folder of a package, as seen from a folder. */
export function locate(from: string, name: string): string | undefined {
  for (let folder = from; ; ) {
    const place = join(folder, 'node_modules', name)
    if (existsSync(join(place, 'package.json'))) return realpathSync(place)
    const above = dirname(folder)
    if (above === folder) return undefined
    folder = above
  }
}

function namesOf({ dependencies, optionalDependencies, peerDependencies }: Manifest): string[] {
  return Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })
}

function readManifest(folder: string): Manifest | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
  } catch {
    return undefined
  }
}
