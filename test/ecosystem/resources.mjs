// Servers that rows need: `needs: ['redis']` starts resources/redis.mjs, one for each batch of rows.

/**
 * A file exports `start()`, which returns `{ resource, stop }`, or `{ missing: reason }` where the server cannot be had. Rows
 * find the resource in `kit.resources.redis`; it goes to their process as JSON.
 */
export async function startResources(names) {
  const resources = {}
  const stops = []
  const stop = async () => {
    for (const one of stops) await one()
  }
  for (const name of new Set(names)) {
    const { start } = await import(`./resources/${name}.mjs`)
    const started = await start()
    if (started.missing !== undefined) {
      await stop()
      return { resources, missing: started.missing, stop: async () => {} }
    }
    resources[name] = started.resource
    stops.push(started.stop)
  }
  return { resources, missing: undefined, stop }
}
