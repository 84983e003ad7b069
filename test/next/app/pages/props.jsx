export async function getServerSideProps() {
  return { props: { text: await (await fetch('http://sc-c/props')).text() } }
}

export default function Props({ text }) {
  return <p>{text}</p>
}
