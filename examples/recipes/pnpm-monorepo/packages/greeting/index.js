// Shared code that calls a service. It knows nothing of Laneway: the lane is that of the request that it is called for.
export async function greetingOf(service) {
  return (await fetch(`http://${service}/`)).text()
}

export function nameOf(service) {
  return `${service} ${process.env.VERSION ?? '1.0'}`
}
