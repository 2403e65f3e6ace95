(function () {
  "use strict";
  var form = document.getElementById("filter"), count = document.getElementById("count");
  var reports = document.getElementById("reports") || {};
  var fields = ["words", "verdict", "period"].map(function (name) { return document.getElementById(name); });
  var rows = Array.prototype.slice.call(document.querySelectorAll("[data-row]")).map(function (row) {
    return {
      row: row, words: row.textContent.toLowerCase(), verdicts: row.dataset.verdict.split(" "),
      periods: row.dataset.period.split(" "), earlier: "earlier" in row.dataset
    };
  });
  function filter() {
    var asked = fields.map(function (field) { return field ? field.value.trim() : ""; });
    var words = asked[0].toLowerCase().split(/\s+/), verdict = asked[1], period = asked[2];
    var active = asked.some(Boolean), shown = 0;
    rows.forEach(function (r) {
      var is = words.every(function (word) { return r.words.indexOf(word) >= 0; }) &&
        (!verdict || r.verdicts.indexOf(verdict) >= 0) &&
        (period ? period === "*" || r.periods.indexOf(period) >= 0 : active || !r.earlier);
      r.row.hidden = !is;
      shown += is;
    });
    document.querySelectorAll("[data-section]").forEach(function (section) {
      section.hidden = active && !section.querySelector("[data-row]:not([hidden])");
    });
    reports.open = active || reports.open;
    count.textContent = active ? form.dataset.count.replace("{n}", shown).replace("{m}", rows.length) : "";
  }
  form.hidden = false;
  form.addEventListener("input", filter);
  form.addEventListener("submit", function (event) { event.preventDefault(); });
  filter();
})();
