// Servers that rows need: `needs: ['redis']` starts resources/redis.mjs, once for the whole run.

const started = new Map()

/**
 * A file exports `start()`, which returns `{ resource, stop }`, or `{ missing: reason }` where the server cannot be had. Rows
 * find the resource in `kit.resources.redis`; it goes to their process as JSON.
 */
export async function startResources(names) {
  const resources = {}
  for (const name of new Set(names)) {
    if (!started.has(name)) started.set(name, start(name))
    const { resource, missing } = await started.get(name)
    if (missing !== undefined) return { resources, missing }
    resources[name] = resource
  }
  return { resources, missing: undefined }
}

export async function stopResources() {
  for (const one of started.values()) await (await one).stop?.()
}

async function start(name) {
  const { start } = await import(`./resources/${name}.mjs`)
  return start()
}
