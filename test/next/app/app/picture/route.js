export const dynamic = 'force-dynamic'

export const GET = async () => fetch('http://sc-c/picture')
