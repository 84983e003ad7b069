// Connections that all requests share, opened before the first request or while a request in lane gray is served.

/** The number of the request that opens; it is in lane gray. */
export const OPENER = '1'

/** Returns a function that gives the connections to a request; with `opened: 'request'` all others wait for the opener. */
export async function sharedConnections(opened, open) {
  if (opened === 'start') {
    const connections = await open()
    return async () => connections
  }
  let give
  const given = new Promise(resolve => {
    give = resolve
  })
  return req => {
    if (req.headers['x-id'] === OPENER) give(open())
    return given
  }
}
