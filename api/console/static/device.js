/* Draws what one device said: lines of what is believed, marks of what is flagged. */
"use strict";
(() => {
  const RENEW = 60000;
  const ink = "#43514e";
  const line = "#d6deda";
  const ember = "#b03a0a";
  const colours = { temperature_c: "#17508f", outdoor_c: "#17508f", supply_c: "#a8336b", return_c: "#17508f", flow_m3h: "#2f6b4f" };
  const beside = "#7d8f3a";
  const font = getComputedStyle(document.body).fontFamily;

  function marked(drawn, unusable) {
    const data = drawn.marks.filter((mark) => mark.unusable === unusable)
      .map((mark) => ({ value: [mark.at, mark.value], said: mark.said, flags: mark.flags }));
    return {
      type: "scatter", name: unusable ? drawn.words.unusable : drawn.words.flagged, data,
      symbol: unusable ? "diamond" : "circle", symbolSize: unusable ? 10 : 7,
      itemStyle: { color: unusable ? ember : "#fff", borderColor: ember, borderWidth: 1.5 }, z: 5,
      tooltip: { trigger: "item", formatter: ({ data: one }) => `<b>${one.said}</b><br>${one.flags}` },
    };
  }

  function option(drawn) {
    const series = drawn.lines.map((one) => ({
      type: "line", name: one.name, data: one.data, yAxisIndex: one.right ? 1 : 0,
      symbol: "circle", symbolSize: 3, showSymbol: one.data.length < 400,
      lineStyle: { width: one.right ? 1.2 : 2, type: one.right ? "dashed" : "solid", color: colours[one.column] || beside },
      itemStyle: { color: colours[one.column] || beside },
    }));
    for (const unusable of [false, true]) {
      const marks = marked(drawn, unusable);
      if (marks.data.length) series.push(marks);
    }
    const axis = (text, extra) => ({ type: "value", scale: true, name: text, nameGap: 10, nameTextStyle: { color: ink, fontWeight: 600, align: "left" }, axisLabel: { color: ink }, splitLine: { lineStyle: { color: "#e9eeeb" } }, ...extra });
    const named = (right) => drawn.lines.filter((one) => one.right === right).map((one) => one.name).join(" / ");
    return {
      useUTC: true, animation: false, textStyle: { fontFamily: font },
      grid: { left: 46, right: 56, top: 62, bottom: 28 },
      legend: { type: "scroll", top: 0, left: 0, itemWidth: 18, itemHeight: 8, textStyle: { color: ink } },
      xAxis: { type: "time", min: drawn.start, max: drawn.stop, axisLine: { lineStyle: { color: line } }, axisLabel: { color: ink, hideOverlap: true }, splitLine: { show: true, lineStyle: { color: "#f1f4f2" } } },
      yAxis: [axis(named(false), { nameTextStyle: { color: ink, fontWeight: 600, align: "left", padding: [0, 0, 0, -36] } }), axis(named(true), { position: "right", splitLine: { show: false }, nameTextStyle: { color: ink, fontWeight: 600, align: "right", padding: [0, -46, 0, 0] } })],
      tooltip: { trigger: "axis", confine: true, borderColor: line, textStyle: { color: "#16211f", fontSize: 12.5 } },
      series,
    };
  }

  function draw(box) {
    const chart = echarts.init(box, null, { renderer: "canvas" });
    let known = "";
    async function renew() {
      if (document.hidden) return;
      const answer = await fetch(box.dataset.deviceChart, { headers: { Accept: "application/json" } }).catch(() => null);
      if (!answer?.ok) return;
      const text = await answer.text();
      if (text === known) return;
      known = text;
      const drawn = JSON.parse(text);
      chart.resize();
      if (drawn.lines.length || drawn.marks.length) chart.setOption(option(drawn), { notMerge: true });
      else {
        chart.dispose();
        box.textContent = drawn.words.nothing;
      }
      box.dataset.drawn = "yes";
    }
    renew();
    setInterval(renew, RENEW);
    addEventListener("resize", () => { if (!chart.isDisposed()) chart.resize(); });
  }

  if (window.echarts) document.querySelectorAll("[data-device-chart]").forEach(draw);
})();
