// A configuration in Nacos, by a client of Nacos: it has nothing to do with lanes. Any other client will do.

/** The configuration as it is now: `current` changes when it is published. Without Nacos there is none. */
export async function follow(dataId) {
  if (!process.env.LANEWAY_NACOS) return { current: undefined }
  const { createNacosClient, followConfig } = await import('@laneway/nacos')
  const config = followConfig(createNacosClient({ servers: process.env.LANEWAY_NACOS }), dataId)
  await config.ready
  return config
}
