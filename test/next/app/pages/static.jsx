export async function getStaticProps() {
  return { props: { text: await (await fetch('http://sc-c/static')).text() }, revalidate: 1 }
}

export default function Static({ text }) {
  return <p>{text}</p>
}
