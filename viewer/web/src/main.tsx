import { render } from "preact";

const root = document.getElementById("app");
if (root === null) {
  throw new Error("index.html: expected an element with the id app, found none");
}
render(<h1>绿色通道</h1>, root);
