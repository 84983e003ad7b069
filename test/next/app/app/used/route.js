export const dynamic = 'force-dynamic'

async function read() {
  'use cache'
  return (await fetch('http://sc-c/used')).text()
}

export const GET = async () => new Response(await read())
