from tests.gui.review.test_adjudicating import *
from tests.gui.panels.test_readers import panel
from napari_vol3d.gui.panels.readers import ReadersPanel
def test_look(qtbot, viewer, bench, room, project, session, shared_data):
    from qtpy.QtWidgets import QApplication
    import time
    viewer.window.resize(1500, 950)
    read(project, 0, "ann", ann(project)); read(project, 0, "bob", bob(project))
    read(project, 1, "ann", predicted(project,1)); read(project, 1, "bob", np.roll(predicted(project,1),3,1))
    panel = ReadersPanel(bench.correcting.desk)
    sec = room.panel.ui.add_section("Readers", panel); sec.expand(animate=False)
    panel.follow(session)
    room.panel.ui.worklist.hide(); room.panel.ui.places.hide()
    opened(qtbot, session, 0)
    bench.reading.bench.open()
    panel.agreement.compare()
    qtbot.waitUntil(lambda: panel.agreement.found is not None, timeout=WAIT_MS)
    begun(qtbot, panel.adjudication, panel.ui.regions)
    press(qtbot, viewer, "second"); 
    for _ in range(20): QApplication.processEvents(); time.sleep(.05)
    viewer.window._qt_window.grab().save("/tmp/look1.png")
    panel.ui.asking.expand(animate=False); panel.ui.form.reader.setText("cid")
    for _ in range(10): QApplication.processEvents(); time.sleep(.05)
    panel.grab().save("/tmp/look2.png")
    print("WIDTH", panel.minimumSizeHint().width(), panel.width())
    import qtpy
    viewer.theme = "light"
    for _ in range(10): QApplication.processEvents(); time.sleep(.05)
    viewer.window._qt_window.grab().save("/tmp/look3.png")
    panel.let_go()
