
// The episode browser: the pictures of the cameras and the line in each chart show the same moment.
const of = id => document.getElementById(id);
const episodes = JSON.parse(of("clips").textContent);
const browser = of("episodes"), choice = of("episode"), button = of("play"), slider = of("time");
const images = document.querySelectorAll("#cameras img"), heads = document.querySelectorAll(".head");
let episode, now = 0, begun = null;

function show() {
  slider.value = now;
  of("clock").textContent = now.toFixed(1) + " s";
  images.forEach((image, camera) => {
    const clip = episode.cameras[camera];
    image.style.visibility = clip ? "" : "hidden";
    if (!clip) return;
    let at = clip.seconds.findIndex(second => second > now + 1e-6);
    at = at < 0 ? clip.seconds.length - 1 : Math.max(at - 1, 0);
    if (image.dataset.second === String(clip.seconds[at])) return;
    image.dataset.second = clip.seconds[at];
    image.src = "data:image/jpeg;base64," + clip.frames[at];
  });
  for (const head of heads) {
    const { low, high, from, to } = head.dataset;
    const share = high > low ? (now - low) / (high - low) : 0;
    head.setAttribute("transform", `translate(${Math.min(Math.max(share, 0), 1) * (to - from)} 0)`);
  }
}

function choose() {
  episode = episodes[choice.selectedIndex];
  browser.dataset.chosen = choice.selectedIndex;
  slider.max = episode.length;
  images.forEach(image => delete image.dataset.second);
  seek(0);
}

function seek(second) {
  stop();
  now = Math.min(Math.max(second, 0), episode.length);
  show();
}

function stop() {
  begun = null;
  button.textContent = "Play";
}

function step(clock) {
  if (begun === null) return;
  now = Math.min(Math.max((clock - begun) / 1000, 0), episode.length);
  show();
  if (now < episode.length) requestAnimationFrame(step); else stop();
}

button.addEventListener("click", () => {
  if (begun !== null) return stop();
  if (now >= episode.length) now = 0;
  begun = performance.now() - now * 1000;
  button.textContent = "Pause";
  requestAnimationFrame(step);
});
slider.addEventListener("input", () => seek(Number(slider.value)));
choice.addEventListener("change", choose);
for (const head of heads) head.ownerSVGElement.addEventListener("click", event => {
  const { low, high, from, to } = head.dataset, svg = head.ownerSVGElement;
  const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse()).x;
  seek(Number(low) + (place - from) / (to - from) * (high - low));
});
of("controls").hidden = false;
choose();
