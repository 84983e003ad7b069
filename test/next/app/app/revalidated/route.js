export const dynamic = 'force-dynamic'

export const GET = async () =>
  new Response(await (await fetch('http://sc-c/revalidated', { next: { revalidate: 1 } })).text())
