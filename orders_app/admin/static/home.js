// The chart of the first page. What it shows stands in the table below it too.
"use strict";

(() => {
  const sales = JSON.parse(document.getElementById("sales").textContent);
  const place = document.getElementById("chart");
  const most = Math.max(...sales.days.map((_, day) => sales.series.reduce((sum, one) => sum + one.data[day], 0)));
  if (most === 0) {
    place.textContent = place.dataset.empty;
    place.classList.add("hint");
    return;
  }
  // The library writes style attributes, which the policy for contents forbids; the same by the object model is fine.
  const attr = Chartist.Svg.prototype.attr;
  Chartist.Svg.prototype.attr = function (attributes, namespace) {
    if (attributes && typeof attributes === "object" && "style" in attributes) {
      const { style, ...others } = attributes;
      this.getNode().style.cssText = style;
      return attr.call(this, others, namespace);
    }
    return attr.call(this, attributes, namespace);
  };
  const short = window.matchMedia("(max-width: 760px)").matches ? 10 : 5;
  const chart = new Chartist.BarChart(
    place,
    { labels: sales.labels, series: sales.series },
    {
      stackBars: true,
      height: 240,
      low: 0,
      axisY: { onlyInteger: true, offset: 46 },
      axisX: { showGrid: false, labelInterpolationFnc: (label, index) => (index % short === 4 ? label : null) },
    },
  );
  chart.on("draw", (part) => {
    if (part.type === "bar") {
      const title = document.createElementNS("http://www.w3.org/2000/svg", "title");
      const name = sales.series[part.seriesIndex].name;
      title.textContent = `${sales.days[part.index]} · ${name}: ${part.value.y} · ${sales.revenue[part.index]}`;
      part.element.getNode().append(title);
    }
  });
})();
