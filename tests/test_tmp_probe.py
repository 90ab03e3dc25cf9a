import shutil, pytest
from tests.rerun_project import *
from tests.fresh_builds import FreshBuilds
FULL=["missing","inputs","code"]
@pytest.mark.parametrize("store", ["prefixes"])
def test_p(store, request, tmp_path):
    b=FreshBuilds()
    n=0
    def new():
        nonlocal n; n+=1
        st=request.getfixturevalue("s3")
        (tmp_path/f"p{n}").mkdir()
        for o in st.list_objects_v2(Bucket="lake").get("Contents",[]): st.delete_object(Bucket="lake",Key=o["Key"])
        p=write_project(tmp_path/f"p{n}", STORES[store](st), b); p.build(); return p
    def show(name, f):
        try: r=f()
        except AssertionError as e: print(name, "ERROR", str(e).strip().splitlines()[-1][:300]); return
        print(store, name, r["entered"], {k:(v, r["reasons"][k]) for k,v in r["ended"].items() if k!="Source"})
    real=("pipeline",'write(output_path, f"{text} {self.n % 2}")', "write(output_path, text)")
    param=("pipeline","class Raw(AtomicTaskWithMetadata):\n", "class Raw(AtomicTaskWithMetadata):\n    extra = IntParameter(default=0)\n")
    p=new(); p.edit(*param); p.store.delete("raw-monday"); show("7 param+raw deleted", lambda: p.build()); show("7 again", lambda: p.build())
    p=new(); shutil.rmtree(p.root/".superluigi"); show("9 catalog gone", lambda: p.build()); p.edit(*real); show("9 code", lambda: p.build(rerun_on=FULL))
    p=new(); shutil.rmtree(p.root/".superluigi"); p.store.delete("raw-monday"); show("9e catalog gone, raw deleted", lambda: p.build()); show("9e again", lambda: p.build())
    p=new(); p.store.write(p.store.key("report-monday"),"hand"); p.store.delete("raw-monday"); show("13b hand+maybe", lambda: p.build(rerun_on=["missing","inputs","missing_anywhere"])); show("13b output", lambda: p.build(rerun_on=FULL+["output"]))
    p=new(); p.store.write(p.store.key("clean-monday"),"hand"); p.edit(*param); show("13c clean hand+identity", lambda: p.build()); show("13c again", lambda: p.build());
    p=new(); shutil.rmtree(p.root/".superluigi"); p.edit(*param); show("9d catalog gone+param", lambda: p.build(rerun_on=FULL)); show("9d again", lambda: p.build(rerun_on=FULL))
    p=new(); p.store.delete("clean-monday"); p.store.delete("raw-monday"); p.store.write("source.txt","one two four"); show("16 raw,clean deleted+source", lambda: p.build()); show("16 again", lambda: p.build()); 
    # adoption with a missing upstream
    (tmp_path/"q").mkdir(); p=write_project(tmp_path/"q", STORES[store](request.getfixturevalue("s3")), b)
    for o in request.getfixturevalue("s3").list_objects_v2(Bucket="lake").get("Contents",[]): request.getfixturevalue("s3").delete_object(Bucket="lake",Key=o["Key"])
    p.store.write(p.store.key("report-monday"),"plain"); show("adopt, upstream missing", lambda: p.build())
    b.close()
