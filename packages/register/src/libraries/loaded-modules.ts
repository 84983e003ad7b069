import Module from 'node:module'

const cache = (Module as unknown as { _cache: Record<string, { exports?: unknown } | undefined> })._cache

/** What the CommonJS modules of a file name have exported that are loaded now. A bundle has no such files. */
export function loadedModules(file: RegExp): unknown[] {
  return Object.keys(cache)
    .filter(name => file.test(name))
    .map(name => cache[name]?.exports)
}
